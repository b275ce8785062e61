//! The terminal: taken over at the start, given back at every end, a panic's and a suspension's included. Knows nothing of chat.

use std::io::{self, Stdout, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
};
use crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, execute};
use ratatui::backend::CrosstermBackend;
use ratatui::layout::{Position, Rect};
use ratatui::{Frame, Terminal};
use tokio::sync::mpsc;

/// Key presses and the like that are read ahead.
const READ_AHEAD_MAX: usize = 256;

/// Whether the client has the terminal now. There is one terminal, and the panic's hook must know too.
static IS_TAKEN: AtomicBool = AtomicBool::new(false);

/// The terminal while the client has it.
pub(super) struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
}

impl Screen {
    /// Takes the terminal over. From here on a panic gives it back before it says what is wrong.
    pub(super) fn take() -> io::Result<Screen> {
        let earlier = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            give_back();
            earlier(panic);
        }));
        if let Err(error) = enter() {
            give_back();
            return Err(error);
        }
        Ok(Screen {
            terminal: Terminal::new(CrosstermBackend::new(io::stdout()))?,
        })
    }

    /// Columns and rows.
    pub(super) fn size(&self) -> io::Result<(u16, u16)> {
        let size = self.terminal.size()?;
        Ok((size.width, size.height))
    }

    pub(super) fn draw(&mut self, draw: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        self.terminal.draw(draw)?;
        Ok(())
    }

    /// Forgets what is on the screen: the next drawing draws everything.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        // Not the terminal's own `clear`: that asks where the cursor is and waits for an answer that the reading thread would take.
        let size = self.terminal.size()?;
        self.terminal.resize(Rect::from((Position::ORIGIN, size)))
    }

    /// Takes the terminal over again, after [`give_back`].
    pub(super) fn take_again(&mut self) -> io::Result<()> {
        enter()?;
        self.clear()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

fn enter() -> io::Result<()> {
    IS_TAKEN.store(true, Ordering::Relaxed);
    enable_raw_mode()?;
    execute!(
        io::stdout(),
        EnterAlternateScreen,
        EnableBracketedPaste,
        EnableMouseCapture
    )
}

/// Gives the terminal back as it was, once: leaving the client's screen a second time would put the cursor back to where it was before,
/// and what was said in between be written over. What fails here cannot be helped.
pub(super) fn give_back() {
    if !IS_TAKEN.swap(false, Ordering::Relaxed) {
        return;
    }
    let mut out = io::stdout();
    let _ = execute!(
        out,
        DisableMouseCapture,
        DisableBracketedPaste,
        LeaveAlternateScreen,
        cursor::Show
    );
    let _ = out.flush();
    let _ = disable_raw_mode();
}

/// Reads keys on a thread of its own, since reading a terminal cannot be cancelled. The channel ends with the terminal.
pub(super) fn read_events() -> mpsc::Receiver<crossterm::event::Event> {
    let (sender, receiver) = mpsc::channel(READ_AHEAD_MAX);
    std::thread::spawn(move || {
        while let Ok(event) = crossterm::event::read() {
            if sender.blocking_send(event).is_err() {
                break;
            }
        }
    });
    receiver
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::num::NonZeroU16;

    use portable_pty::{CommandBuilder, PtySize, native_pty_system};

    use super::*;

    /// What the panic says.
    const WRONG: &str = "half a screen was drawn";

    /// Runs the test above in a terminal, and says before and after how the terminal is set.
    const SHELL: &str = r#"echo "set: $(stty -g)"
"$0" --ignored --exact --nocapture --test-threads=1 tui::screen::tests::takes_the_terminal_and_panics
echo "set: $(stty -g)""#;

    #[test]
    #[ignore = "takes the terminal and panics: another test runs it, in a terminal of its own"]
    fn takes_the_terminal_and_panics() {
        let mut screen = Screen::take().unwrap();
        screen
            .draw(|frame| frame.render_widget("안녕하세요", frame.area()))
            .unwrap();
        panic!("{WRONG}");
    }

    #[test]
    fn a_panic_gives_the_terminal_back_and_then_says_what_is_wrong() {
        let size = PtySize {
            rows: 40,
            cols: 200,
            ..PtySize::default()
        };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut shell = CommandBuilder::new("sh");
        shell.args(["-c", SHELL]);
        shell.arg(std::env::current_exe().unwrap());
        let mut output = pair.master.try_clone_reader().unwrap();
        let mut child = pair.slave.spawn_command(shell).unwrap();
        drop(pair.slave);
        let (mut written, mut buffer) = (Vec::new(), [0; 4096]);
        // Linux ends a terminal whose last program is gone with an error, others with an end of file.
        while let Ok(count @ 1..) = output.read(&mut buffer) {
            written.extend_from_slice(&buffer[..count]);
        }
        child.wait().unwrap();

        let text = String::from_utf8_lossy(&written);
        let place = |part: &str| {
            text.find(part)
                .unwrap_or_else(|| panic!("{part:?}: {text}"))
        };
        // It had the terminal, and gave it back before it said anything.
        assert!(place("\x1b[?1049h") < place("\x1b[?1049l"));
        assert!(place("\x1b[?1049l") < place(WRONG));
        let (rows, columns) = (size.rows, size.cols);
        let of = |count| NonZeroU16::new(count).unwrap();
        let mut parser = vt100::Parser::new(of(rows), of(columns), 0);
        parser.process(&written);
        let screen = parser.screen();
        assert!(screen.contents().contains(WRONG), "{}", screen.contents());
        assert_eq!(text.matches("\x1b[?1049l").count(), 1, "{text}");
        assert!(!screen.contents().contains("안녕하세요"));
        assert!(!screen.alternate_screen() && !screen.bracketed_paste());
        assert!(!screen.hide_cursor());
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
        // Echo, line editing and signals are as they were.
        let contents = screen.contents();
        let set: Vec<&str> = contents
            .lines()
            .filter(|it| it.starts_with("set: "))
            .collect();
        assert_eq!(set.len(), 2, "{contents}");
        assert_eq!(set[0].trim_end(), set[1].trim_end());
    }
}
