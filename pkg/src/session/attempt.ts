/** Calls a function of the application, or one that asks it something; what it throws must not stop what comes after it. */
export function attempt(act: () => void): void {
  try {
    act();
  } catch (cause) {
    (globalThis.reportError ?? console.error)(cause);
  }
}
