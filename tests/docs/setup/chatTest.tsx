import { act, cleanup, render } from "@testing-library/react";
import { WebSocketProvider } from "everwire/react";
import type { ReactNode } from "react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

declare function Chat(props: { sessionId: string }): ReactNode;
declare function write(text: string): void;
