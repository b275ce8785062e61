// gorilla/websocket: an echo server, and two broadcast servers.
package main

import (
	"flag"
	"io"
	"log"
	"net/http"
	"runtime"

	"github.com/gorilla/websocket"
)

var (
	port     = flag.String("port", "9001", "port on 127.0.0.1")
	mode     = flag.String("mode", "echo", "echo, hub (queued messages are joined into one frame, as in gorilla's chat example) or prepared (a frame for each message, prepared once)")
	threads  = flag.Int("threads", 1, "GOMAXPROCS")
	compress = flag.Bool("deflate", false, "compress with clients that offer it")
)

// Messages that may wait for a member; one that lags further is dropped.
const queueMax = 256

var upgrader = websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}

func main() {
	flag.Parse()
	runtime.GOMAXPROCS(*threads)
	upgrader.EnableCompression = *compress
	if *mode != "echo" {
		go hub()
	}
	http.HandleFunc("/", serve)
	log.Fatal(http.ListenAndServe("127.0.0.1:"+*port, nil))
}

func serve(w http.ResponseWriter, r *http.Request) {
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	if *mode == "echo" {
		echo(conn)
		return
	}
	m := &member{conn, make(chan *message, queueMax)}
	join <- m
	go m.write()
	m.read()
}

func echo(conn *websocket.Conn) {
	defer conn.Close()
	for {
		kind, payload, err := conn.ReadMessage()
		if err != nil {
			return
		}
		if conn.WriteMessage(kind, payload) != nil {
			return
		}
	}
}

type member struct {
	conn  *websocket.Conn
	queue chan *message
}

type message struct {
	from     *member
	payload  []byte
	prepared *websocket.PreparedMessage
}

var (
	join  = make(chan *member)
	leave = make(chan *member)
	cast  = make(chan *message)
)

// The one goroutine that knows all members.
func hub() {
	members := map[*member]bool{}
	drop := func(m *member) {
		if members[m] {
			delete(members, m)
			close(m.queue)
		}
	}
	for {
		select {
		case m := <-join:
			members[m] = true
		case m := <-leave:
			drop(m)
		case one := <-cast:
			if *mode == "prepared" {
				one.prepared, _ = websocket.NewPreparedMessage(websocket.TextMessage, one.payload)
			}
			for m := range members {
				if m == one.from {
					continue
				}
				select {
				case m.queue <- one:
				default:
					drop(m)
				}
			}
		}
	}
}

func (m *member) read() {
	defer func() { leave <- m; m.conn.Close() }()
	for {
		_, payload, err := m.conn.ReadMessage()
		if err != nil {
			return
		}
		cast <- &message{from: m, payload: payload}
	}
}

func (m *member) write() {
	defer m.conn.Close()
	for one := range m.queue {
		if one.prepared != nil {
			if m.conn.WritePreparedMessage(one.prepared) != nil {
				return
			}
			continue
		}
		w, err := m.conn.NextWriter(websocket.TextMessage)
		if err != nil {
			return
		}
		w.Write(one.payload)
		for waiting := len(m.queue); waiting > 0; waiting-- {
			io.WriteString(w, "\n")
			w.Write((<-m.queue).payload)
		}
		if w.Close() != nil {
			return
		}
	}
}
