// Times as the reader writes them.

/** Formatters are slow to make and few are needed. */
const formats = new Map<string, Intl.DateTimeFormat>();

function format(locale: string, key: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const id = `${locale} ${key}`;
  let found = formats.get(id);
  if (!found) {
    found = new Intl.DateTimeFormat(locale, options);
    formats.set(id, found);
  }
  return found;
}

/** "오후 3:04" */
export function clock(atMs: number, locale: string): string {
  return format(locale, "clock", { hour: "numeric", minute: "2-digit" }).format(atMs);
}

/** "2026년 11월 21일 토요일" */
export function day(atMs: number, locale: string): string {
  return format(locale, "day", { dateStyle: "full" }).format(atMs);
}

/** Day and time, for a title. */
export function full(atMs: number, locale: string): string {
  return format(locale, "full", { dateStyle: "full", timeStyle: "medium" }).format(atMs);
}
