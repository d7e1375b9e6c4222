export interface FromServer {
  score: { points: number };
}
export interface ToServer {
  move: { x: number; y: number };
}
