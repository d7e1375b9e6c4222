declare const token: string;
