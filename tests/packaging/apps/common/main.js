import "./default.js";
import "./react.js";
import "./reactSlim.js";
import "./slim.js";
