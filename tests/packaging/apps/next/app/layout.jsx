import { WebSocketProvider } from "everwire/react";

export const metadata = { title: "Next", icons: "data:," };
// The address of the test's server is not known yet when this is built.
export const dynamic = "force-dynamic";

export default function Layout({ children }) {
  return (
    <html lang="en">
      <body>
        <WebSocketProvider options={{ url: `http://127.0.0.1:${process.env.SERVER_PORT}` }}>{children}</WebSocketProvider>
      </body>
    </html>
  );
}
