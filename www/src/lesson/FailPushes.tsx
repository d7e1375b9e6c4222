import { useState } from "react";
import { ActionButton } from "../components/ActionButton";
import { failPushes } from "../devServer";
import { learner } from "../people";

/** The application can answer, and cannot reach the devices. */
export function FailPushes() {
  const [failing, setFailing] = useState(false);
  const toggle = async () => {
    await failPushes(learner.userId, !failing);
    setFailing(!failing);
  };
  return (
    <ActionButton
      testId="fail-pushes"
      action={toggle}
      pressed={failing}
      hint="The server cannot push emotions to the learner's devices, and the tutor still answers"
    >
      {failing ? "Let pushes through" : "Fail pushes"}
    </ActionButton>
  );
}
