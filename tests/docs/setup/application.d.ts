// What snippets use of the reader's application. A declaration of the snippet's own hides the one here.

import type { NativeSocketClient } from "everwire";
import type { ChatPage, EarlierRequest, MissedRequest } from "everwire/session";

declare global {
  const client: NativeSocketClient;
  const url: string;
  const token: () => Promise<string>;
  const data: object;
  const userId: string;
  const matchId: string;
  const form: HTMLFormElement;
  const input: HTMLInputElement;
  /** A store of zustand. */
  const useUIStore: { getState(): { showToast(toast: object): void } };
  const useChatStore: { getState(): { addMessage(message: object): void } };
  function fetchToken(): Promise<string>;
  function nameOf(userId: string): string;
  /** The application's own history, for `chat()`. */
  const loadEarlier: (request: EarlierRequest) => Promise<ChatPage>;
  const loadMissed: (request: MissedRequest) => Promise<ChatPage>;
  function refetch(): void;
  function show(...what: unknown[]): void;
  function toast(text: string): void;
}
