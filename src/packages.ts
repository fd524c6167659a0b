/**
 * `isopy/packages`: wheels for the WebAssembly engine, fetched ahead of time. Node only.
 *
 * What runs later, in a page or without a network, installs them with `py.packages.install([…], { from })`.
 */
export type { Lock, LockedPackage } from "./core/packages.ts";
export { type VendorOptions, type VendorProgress, vendor } from "./packages/vendor-node.ts";
