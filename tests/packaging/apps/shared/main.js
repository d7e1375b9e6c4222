import "./default.js";
import "./react.js";
import "./slim.js";
