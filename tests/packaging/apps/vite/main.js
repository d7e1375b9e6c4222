import "./shared/default.js";
import "./shared/react.js";
import "./shared/slim.js";
