import { useEffect, useState } from "react";

/** The time, for something that moves slowly: four times a second, and once for who prefers less motion. */
export function useTick(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const timer = setInterval(() => setNow(Date.now()), isCalm ? 1_000 : 250);
    return () => clearInterval(timer);
  }, []);
  return now;
}
