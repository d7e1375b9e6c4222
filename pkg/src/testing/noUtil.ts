/** Takes the place of Node's `util` in the library of the virtual clock, which does without. */
export const promisify = undefined;
