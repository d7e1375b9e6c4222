/**
 * Conversations as stores, typing, toasts, and MasterX's functions.
 *
 * @module everwire/session
 */

export { type ChatOptions, type ChatPage, chat, type EarlierRequest, type MissedRequest } from "./session/chat.js";
export type { EventClient } from "./session/eventClient.js";
export {
  cleanupSocketHandlers,
  emitTypingIndicator,
  initializeSocketHandlers,
  joinSession,
  leaveSession,
  type SocketEvents,
  type SocketHandlers,
  type StateStore,
  type StoreHandlers,
} from "./session/masterx.js";
export {
  type ShowToast,
  showToasts,
  type Toast,
  type ToastClient,
  type ToastOptions,
  type ToastTarget,
  toastOf,
} from "./session/toasts.js";
export { COLABMATCH_TYPING, MASTERX_TYPING, TypingAnnouncer, type TypingRule } from "./session/typing.js";
export { matchTyping, sessionTyping, type Typing, type TypingOptions } from "./session/typingIn.js";
export { typingText } from "./session/typingText.js";
export { TypingUsers } from "./session/typingUsers.js";
