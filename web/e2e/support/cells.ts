// A terminal's cells as a page: each character in its own cells, whatever its font makes of it, so that a picture is true to widths.

/** One character on the screen. */
export interface Cell {
  readonly text: string;
  /** Columns that it takes. */
  readonly width: number;
  /** CSS colours, `undefined` being the terminal's own. */
  readonly colour?: string;
  readonly background?: string;
  readonly bold: boolean;
  readonly dim: boolean;
  readonly italic: boolean;
  readonly underlined: boolean;
}

/** CSS pixels of a cell. */
const CELL = { width: 9, height: 20 };
const COLOURS = { text: "#d7dae0", background: "#16181d", cursor: "#e8c468" };

/** The terminal's sixteen colours. */
export const PALETTE = [
  "#1d2027",
  "#e06c75",
  "#8cc570",
  "#e0b252",
  "#5fa8e8",
  "#c47fd5",
  "#4fb9c4",
  "#b4b9c4",
  "#747b8a",
  "#f08a91",
  "#a5dc8b",
  "#f2cd78",
  "#86c1f7",
  "#dba3e8",
  "#79d6df",
  "#f4f5f7",
];

/** What takes two columns is drawn a little larger, as terminals do; an emoji in colour, wherever a font has it plain too. */
const WIDE = "font-size:17px";
const EMOJI = /\p{Emoji_Presentation}/u;

const escaped = (text: string) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

/** A terminal draws lines itself, from edge to edge of a cell. */
const LINES: Record<string, string> = {
  "─": "linear-gradient(currentColor, currentColor) center / 100% 1px no-repeat",
  "│": "linear-gradient(currentColor, currentColor) center / 1px 100% no-repeat",
};

function drawn(cell: Cell, row: number, column: number): string {
  const line = LINES[cell.text];
  if (cell.text.trim() === "" && cell.background === undefined && !cell.underlined) return "";
  const style = [
    `left:${column * CELL.width}px;top:${row * CELL.height}px;width:${cell.width * CELL.width}px`,
    `color:${cell.colour ?? COLOURS.text}`,
    cell.background && `background-color:${cell.background}`,
    line && `background:${line}`,
    cell.width > 1 && WIDE,
    EMOJI.test(cell.text) && "font-family:'Noto Color Emoji'",
    cell.bold && "font-weight:700",
    cell.dim && "opacity:.6",
    cell.italic && "font-style:italic",
    cell.underlined && "text-decoration:underline",
  ];
  return `<i style="${style.filter(Boolean).join(";")}">${line ? "" : escaped(cell.text)}</i>`;
}

/** The page; its `main` is the picture. */
export function page(rows: readonly (readonly Cell[])[], cursor: { row: number; column: number }): string {
  const cells = rows.flatMap((row, number) => {
    let column = 0;
    return row.map((cell) => {
      const html = drawn(cell, number, column);
      column += cell.width;
      return html;
    });
  });
  const columns = rows[0]!.reduce((sum, cell) => sum + cell.width, 0);
  return `<!doctype html><meta charset="utf-8"><style>
    body { margin: 0; background: transparent }
    main { position: relative; display: inline-block; padding: 18px 20px; border-radius: 10px; background: ${COLOURS.background} }
    div { position: relative; width: ${columns * CELL.width}px; height: ${rows.length * CELL.height}px }
    i { position: absolute; height: ${CELL.height}px; font: 15px/${CELL.height}px "DejaVu Sans Mono", "Noto Sans CJK KR", "Noto Color Emoji", monospace;
      font-style: normal; white-space: pre; text-align: center; overflow: visible }
    b { position: absolute; left: ${cursor.column * CELL.width}px; top: ${cursor.row * CELL.height + 1}px; width: 2px;
      height: ${CELL.height - 2}px; background: ${COLOURS.cursor} }
  </style><main><div>${cells.join("")}<b></b></div></main>`;
}
