/** Where the WebAssembly module is: what bundlers make of the import of a file. `init` of `everwire/slim` takes it. */
declare const url: string;
export default url;
