import { type ReactNode, useEffect, useState } from "react";

interface Props {
  readonly action: () => Promise<void>;
  readonly testId: string;
  readonly children: ReactNode;
  readonly hint?: string;
  readonly pressed?: boolean;
  readonly disabled?: boolean;
}

/** A button whose action talks to the server, and that says so when the server does not answer. */
export function ActionButton({ action, testId, children, hint, pressed, disabled = false }: Props) {
  const [problem, setProblem] = useState<string | null>(null);

  useEffect(() => {
    if (problem === null) return;
    const timer = setTimeout(() => setProblem(null), PROBLEM_MS);
    return () => clearTimeout(timer);
  }, [problem]);

  const run = () => {
    setProblem(null);
    action().catch((error: Error) => setProblem(error.message));
  };

  return (
    <button
      type="button"
      className="button"
      data-testid={testId}
      title={hint}
      aria-pressed={pressed}
      disabled={disabled}
      onClick={run}
    >
      <span aria-live="polite">{problem ?? children}</span>
    </button>
  );
}

const PROBLEM_MS = 4_000;
