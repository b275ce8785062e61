// What a scenario can do with a client and see of it: the same for the browser and for the terminal.

/** One person's client. What it does is done by the person's own means: keys, and what the screen offers. */
export interface ChatClient {
  /** Becomes the first administrator, and stands in the chat. */
  setUp(): Promise<void>;
  /** Makes an account, and stands in the chat. */
  signUp(): Promise<void>;
  /** Signs in to the account, and stands in the chat. */
  signIn(): Promise<void>;
  /** Ends: the tab is closed, the program is left. What it keeps on disk stays. */
  end(): Promise<void>;
  /** Comes back after `end`, in a room if there was one. */
  begin(): Promise<void>;
  /** Ends for good, whatever state it is in. */
  close(): Promise<void>;

  isOnline(): Promise<boolean>;
  /** Whether it says that the connection is lost. */
  isOffline(): Promise<boolean>;

  /** Makes a room and shows it. */
  createRoom(room: string): Promise<void>;
  /** Shows a room that there is; joins it if need be. */
  openRoom(room: string): Promise<void>;
  /** Ends the membership in the room that is shown. */
  leaveRoom(): Promise<void>;
  /** The rooms that one is in, as they are listed. */
  rooms(): Promise<string[]>;
  /** The number beside a room; 0 without one. */
  unread(room: string): Promise<number>;

  /** Writes into the composer as an IME commits; a line break is one in the text. */
  type(text: string): Promise<void>;
  /** Presses Enter. */
  send(): Promise<void>;
  /** What stands in the composer. */
  draft(): Promise<string>;
  /** Empties the composer, in which `draft` stands. */
  erase(): Promise<void>;

  /** The lines of the server's messages that are on the screen, from top to bottom. */
  lines(): Promise<string[]>;
  /** How many messages of one's own are shown as not sent yet. */
  waiting(): Promise<number>;
  /** How many messages of one's own are shown as refused. */
  refused(): Promise<number>;
  /** Sends again what was refused. */
  retry(): Promise<void>;

  /** One step up, about a screen. */
  scrollUp(): Promise<void>;
  toNewest(): Promise<void>;
  /** What it says of new messages below; 0 if nothing. */
  newBelow(): Promise<number>;
  /** The first line below the mark of where one left off, if that is shown. */
  firstUnreadLine(): Promise<string | undefined>;

  /** Types what is searched for into the search within what is loaded, and gives the number of matches. */
  search?(text: string): Promise<number>;

  /** What is wrong with the screen, the page or the terminal after somebody else's hostile message; empty if nothing. */
  damage(): Promise<string[]>;
}

/** The clients, as the table names them. */
export const KINDS = ["browser", "terminal"] as const;
export type Kind = (typeof KINDS)[number];
