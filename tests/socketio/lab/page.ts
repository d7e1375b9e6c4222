import { Lab } from "./lab";

declare global {
  interface Window {
    makeLab: () => Lab;
    labs: Lab[];
  }
}

window.labs = [];
window.makeLab = () => {
  const lab = new Lab();
  window.labs.push(lab);
  return lab;
};
