import type { Emotion, IncomingMessage } from "everwire";

interface ChatState {
  addMessage(message: IncomingMessage): void;
  updateMessageEmotion(id: string, emotion: Emotion): void;
}
declare const useChatStore: { getState(): ChatState };
