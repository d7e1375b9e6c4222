import { Default } from "./default";
import { Said } from "./said";
import { Slim } from "./slim";

export default function Page() {
  return (
    <main>
      <Said />
      <Default />
      <Slim />
    </main>
  );
}
