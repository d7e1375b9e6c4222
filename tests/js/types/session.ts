import {
  type CoLabMatchClientEvents,
  type CoLabMatchServerEvents,
  configureWebSocket,
  type MasterXClientEvents,
  type MasterXServerEvents,
  NativeSocketClient,
  nativeSocketClient,
  type Options,
  optionsFromEnv,
} from "everwire";
import { useWebSocket } from "everwire/react";
import {
  cleanupSocketHandlers,
  emitTypingIndicator,
  initializeSocketHandlers,
  joinSession,
  leaveSession,
  MASTERX_TYPING,
  matchTyping,
  sessionTyping,
  showToasts,
  type Toast,
  TypingAnnouncer,
  type TypingRule,
  typingText,
} from "everwire/session";
import { NativeSocketClient as SlimClient } from "everwire/slim";
import { exactly } from "./assert";

const masterX = new NativeSocketClient<MasterXServerEvents, MasterXClientEvents>();
const match = new SlimClient<CoLabMatchServerEvents, CoLabMatchClientEvents>();

const typing = sessionTyping(masterX, "s1", { userId: "ada", rule: { ...MASTERX_TYPING, clearMs: 5_000 } });
exactly<readonly string[]>()(typing.getSnapshot());
exactly<string>()(typingText(typing.getSnapshot()));
matchTyping(match, "m1");
matchTyping(new NativeSocketClient(), "m1", { userId: undefined });
matchTyping(nativeSocketClient, "m1");
// @ts-expect-error a session has a name
sessionTyping(masterX);
// @ts-expect-error a rule is whole
const rule: TypingRule = { debounceMs: 300 };
new TypingAnnouncer((isTyping) => exactly<boolean>()(isTyping), rule);

export function useMatch(): void {
  const { subscribe, emit } = useWebSocket<CoLabMatchServerEvents, CoLabMatchClientEvents>();
  matchTyping({ on: subscribe, send: emit }, "m1").dispose();
}

showToasts(masterX, ({ message, retry }) => {
  exactly<string>()(message);
  exactly<(() => void) | undefined>()(retry);
});
showToasts(match, { showToast: (toast) => exactly<Toast>()(toast) });
showToasts(
  nativeSocketClient,
  { getState: () => ({ showToast: () => {} }) },
  { giveUp: "gone", fatal: ({ code, reason }) => `${code} ${reason}` },
);
// @ts-expect-error nothing there shows toasts
showToasts(masterX, { show: () => {} });

const endHandlers: () => void = initializeSocketHandlers(masterX, {
  message_received: ({ message }) => exactly<string>()(message.content),
  give_up: ({ attempts }) => exactly<number>()(attempts),
});
endHandlers();
initializeSocketHandlers(
  new SlimClient(),
  { getState: () => ({ count: 1 }) },
  {
    emotion_update: (state, { emotion }) => {
      exactly<number>()(state.count);
      exactly<number>()(emotion.intensity);
    },
  },
);
joinSession(masterX, "s1");
emitTypingIndicator(nativeSocketClient, "s1", true);
// @ts-expect-error a session has to be named
emitTypingIndicator(masterX, true);
// @ts-expect-error MasterX has no such event
initializeSocketHandlers(masterX, { message_recieved: () => {} });
leaveSession(masterX, "s1");
cleanupSocketHandlers(masterX);

interface ViteEnv {
  readonly VITE_BACKEND_URL: string;
  readonly DEV: boolean;
}
declare const env: ViteEnv;
exactly<Options>()(optionsFromEnv(env));
configureWebSocket({ ...optionsFromEnv(process.env), token: () => null });
// @ts-expect-error an environment is an object
optionsFromEnv("VITE_BACKEND_URL");

declare const process: { readonly env: Record<string, string | undefined> };
export const page: NativeSocketClient<MasterXServerEvents, MasterXClientEvents> = nativeSocketClient;
