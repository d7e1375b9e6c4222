import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App";
import { keepSession } from "./address";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/page.css";
import "./styles/pane.css";
import "./styles/timeline.css";
import "./styles/chat.css";
import "./styles/emotion.css";
import "./styles/log.css";
import "./styles/faults.css";
import "./styles/lesson.css";
import "./styles/toasts.css";

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");

keepSession();
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
