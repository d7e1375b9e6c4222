import { useState } from "react";

/** What was made for these two keys; made anew when one of them is another. Unlike that of `useMemo`, the value is never thrown away. */
export function useKeyed<Value, A, B>(make: (a: A, b: B) => Value, a: A, b: B): Value {
  const [kept, keep] = useState(() => ({ a, b, value: make(a, b) }));
  if (Object.is(kept.a, a) && Object.is(kept.b, b)) return kept.value;
  const next = { a, b, value: make(a, b) };
  keep(next);
  return next.value;
}
