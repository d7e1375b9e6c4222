/** What is no code in a statement: comments, strings, and names in quotation marks. */
export const NO_CODE =
  /--[^\n\r]*|\/\*.*?\*\/|\b[eE]'(?:\\.|''|[^'\\])*'|'(?:''|[^'])*'|"(?:""|[^"])*"|(?<![\w$])(\$(?:[a-z_]\w*)?\$).*?\1/gis;
