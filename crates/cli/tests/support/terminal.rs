//! A program in a pseudo-terminal, and the screen that a person would see.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::process::Command;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};

use super::DEADLINE;

/// A screen tall enough that nothing which a test says scrolls away.
const SIZE: PtySize = PtySize {
    rows: 400,
    cols: 160,
    pixel_width: 0,
    pixel_height: 0,
};

/// How long a person who presses a key again and again looks in between, if nothing changes.
const KEY_PAUSE: Duration = Duration::from_millis(50);

pub struct Terminal {
    screen: Arc<Screen>,
    keyboard: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    // The terminal is there as long as this is.
    master: Box<dyn MasterPty + Send>,
}

/// What a program has switched on in the terminal.
pub struct Modes {
    pub alternate_screen: bool,
    pub bracketed_paste: bool,
    pub mouse: bool,
    pub hidden_cursor: bool,
}

struct Screen {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    parser: vt100::Parser,
    ended: bool,
}

impl Terminal {
    /// Runs the command with its environment in a new terminal.
    pub fn run(command: &Command) -> Terminal {
        Terminal::run_in(command, SIZE)
    }

    /// Runs the command in a terminal of that size.
    pub fn run_sized(command: &Command, rows: u16, cols: u16) -> Terminal {
        Terminal::run_in(command, PtySize { rows, cols, ..SIZE })
    }

    fn run_in(command: &Command, size: PtySize) -> Terminal {
        let pair = native_pty_system().openpty(size).unwrap();
        // Without echo: the kernel may put what is typed into the middle of a line that the program is writing at that moment,
        // which a person reads over and a test cannot.
        let mut builder = CommandBuilder::new("sh");
        builder.args(["-c", r#"stty -echo && exec "$0" "$@""#]);
        builder.arg(command.get_program());
        builder.args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => builder.env(name, value),
                None => builder.env_remove(name),
            }
        }
        let child = pair.slave.spawn_command(builder).unwrap();
        drop(pair.slave);

        let screen = Arc::new(Screen {
            state: Mutex::new(State {
                parser: vt100::Parser::new(
                    NonZeroU16::new(size.rows).unwrap(),
                    NonZeroU16::new(size.cols).unwrap(),
                    0,
                ),
                ended: false,
            }),
            changed: Condvar::new(),
        });
        let mut output = pair.master.try_clone_reader().unwrap();
        let reading = Arc::clone(&screen);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // Linux ends a terminal whose last program is gone with an error, others with an end of file.
            while let Ok(count @ 1..) = output.read(&mut buffer) {
                reading
                    .state
                    .lock()
                    .unwrap()
                    .parser
                    .process(&buffer[..count]);
                reading.changed.notify_all();
            }
            reading.state.lock().unwrap().ended = true;
            reading.changed.notify_all();
        });
        Terminal {
            screen,
            keyboard: pair.master.take_writer().unwrap(),
            child,
            master: pair.master,
        }
    }

    /// Types a line and the enter key.
    pub fn type_line(&mut self, line: &str) {
        self.keyboard
            .write_all(format!("{line}\r").as_bytes())
            .unwrap();
        self.keyboard.flush().unwrap();
    }

    /// Presses Ctrl-D on an empty line.
    pub fn type_end(&mut self) {
        self.keyboard.write_all(b"\x04").unwrap();
        self.keyboard.flush().unwrap();
    }

    /// Presses Ctrl-C.
    pub fn type_interrupt(&mut self) {
        self.keyboard.write_all(b"\x03").unwrap();
        self.keyboard.flush().unwrap();
    }

    /// Types these bytes, whatever they are.
    pub fn type_bytes(&mut self, bytes: &[u8]) {
        self.keyboard.write_all(bytes).unwrap();
        self.keyboard.flush().unwrap();
    }

    /// Presses a key again and again, as a person does who looks for something, until the lines are as wanted.
    pub fn press_until(
        &mut self,
        key: &[u8],
        wanted: &str,
        until: impl Fn(&[String]) -> bool,
    ) -> Vec<String> {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let shown = self.lines();
            if until(&shown) {
                return shown;
            }
            assert!(
                Instant::now() < deadline,
                "looked for {wanted} in vain; the screen shows\n{}",
                shown.join("\n")
            );
            self.type_bytes(key);
            let state = self.screen.state.lock().unwrap();
            // Whether or not the key changed anything: then it is pressed again.
            drop(self.screen.changed.wait_timeout(state, KEY_PAUSE).unwrap());
        }
    }

    /// Gives the terminal another size.
    pub fn resize(&mut self, rows: u16, cols: u16) {
        let mut state = self.screen.state.lock().unwrap();
        let size = (
            NonZeroU16::new(rows).unwrap(),
            NonZeroU16::new(cols).unwrap(),
        );
        state.parser.screen_mut().set_size(size.0, size.1);
        drop(state);
        self.master.resize(PtySize { rows, cols, ..SIZE }).unwrap();
    }

    /// Sends SIGTERM to the program.
    pub fn terminate(&self) {
        let pid = self.child.process_id().unwrap();
        let signalled = Command::new("sh")
            .args(["-c", &format!("kill -TERM {pid}")])
            .status()
            .unwrap();
        assert!(signalled.success());
    }

    /// What is switched on.
    pub fn modes(&self) -> Modes {
        let state = self.screen.state.lock().unwrap();
        let screen = state.parser.screen();
        Modes {
            alternate_screen: screen.alternate_screen(),
            bracketed_paste: screen.bracketed_paste(),
            mouse: screen.mouse_protocol_mode() != vt100::MouseProtocolMode::None,
            hidden_cursor: screen.hide_cursor(),
        }
    }

    /// Waits until the cursor is where it is wanted; gives its row and column.
    pub fn wait_for_cursor(&self, wanted: &str, until: impl Fn((u16, u16)) -> bool) -> (u16, u16) {
        let deadline = Instant::now() + DEADLINE;
        let mut state = self.screen.state.lock().unwrap();
        loop {
            let cursor = state.parser.screen().cursor_position();
            if until(cursor) {
                return cursor;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero() && !state.ended,
                "waited for the cursor {wanted} in vain; it is at {cursor:?} of\n{}",
                lines(&state).join("\n")
            );
            state = self.screen.changed.wait_timeout(state, left).unwrap().0;
        }
    }

    /// The lines on the screen, without the blanks at their ends.
    pub fn lines(&self) -> Vec<String> {
        lines(&self.screen.state.lock().unwrap())
    }

    /// Waits until the lines on the screen are as wanted.
    pub fn wait(&self, wanted: &str, until: impl Fn(&[String]) -> bool) -> Vec<String> {
        let deadline = Instant::now() + DEADLINE;
        let mut state = self.screen.state.lock().unwrap();
        loop {
            let shown = lines(&state);
            if until(&shown) {
                return shown;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero() && !state.ended,
                "waited for {wanted} in vain; the screen shows\n{}",
                shown.join("\n")
            );
            state = self.screen.changed.wait_timeout(state, left).unwrap().0;
        }
    }

    /// Waits until one line contains the text.
    pub fn wait_for(&self, text: &str) -> Vec<String> {
        self.wait(&format!("{text:?}"), |lines| {
            lines.iter().any(|line| line.contains(text))
        })
    }

    /// Waits until the program has ended by itself.
    pub fn wait_for_end(&mut self) -> ExitStatus {
        let deadline = Instant::now() + DEADLINE;
        let mut state = self.screen.state.lock().unwrap();
        while !state.ended {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero(),
                "the program does not end:\n{}",
                lines(&state).join("\n")
            );
            state = self.screen.changed.wait_timeout(state, left).unwrap().0;
        }
        drop(state);
        self.child.wait().unwrap()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(state: &State) -> Vec<String> {
    let mut lines: Vec<String> = state
        .parser
        .screen()
        .contents()
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect();
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}
