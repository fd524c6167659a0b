import isopy from "isopy/vite";

export default { base: process.env.BASE ?? "/", plugins: [isopy({ offline: true })] };
