module.exports = require("everwire");
