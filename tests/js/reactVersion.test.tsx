// @vitest-environment happy-dom
import { render } from "@testing-library/react";
import { version } from "react";
import { version as domVersion } from "react-dom";
import { expect, it } from "vitest";

it("React and its DOM are of the version that the project is named after", ({ task }) => {
  const expected = task.file.projectName === "react 18" ? "18." : "19.";
  render(<p>{version}</p>);
  expect(document.body.textContent).toContain(expected);
  expect(domVersion).toContain(expected);
});
