type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles only if the value has exactly this type. */
export function exactly<Expected>() {
  return <Actual>(_: Actual, ..._proof: Equal<Actual, Expected> extends true ? [] : [never]): void => {};
}
