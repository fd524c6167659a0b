import isopy from "isopy/vite";

export default { plugins: [isopy()] };
