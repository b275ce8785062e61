// An echoing server, or a client that checks one, of gorilla/websocket.
//
//	peer server off|no-takeover
//	peer client off|no-takeover URL
//
// The client prints what was negotiated.
package main

import (
	"bytes"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

const messageBytesMax = 4 << 20

var lengths = []int{0, 1, 125, 126, 65535, 65536, 200000, 1000000}

func main() {
	role, deflate := os.Args[1], os.Args[2] != "off"
	if role == "server" {
		serve(deflate)
	} else {
		talk(deflate, os.Args[3])
	}
}

func serve(deflate bool) {
	upgrader := websocket.Upgrader{EnableCompression: deflate}
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		conn, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer conn.Close()
		conn.SetReadLimit(messageBytesMax)
		for {
			kind, message, err := conn.ReadMessage()
			if err != nil || conn.WriteMessage(kind, message) != nil {
				return
			}
		}
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	fmt.Printf("listening on http://%s/\n", listener.Addr())
	must(http.Serve(listener, nil))
}

func talk(deflate bool, url string) {
	// A small write buffer, so that what NextWriter takes becomes many frames.
	dialer := websocket.Dialer{EnableCompression: deflate, WriteBufferSize: 512}
	conn, response, err := dialer.Dial(url, nil)
	must(err)
	for _, length := range lengths {
		echo(conn, websocket.TextMessage, []byte(strings.Repeat("수다 ", length/7)))
		binary := make([]byte, length)
		for at := range binary {
			binary[at] = byte(at * at >> 7)
		}
		echo(conn, websocket.BinaryMessage, binary)
	}

	ponged := ""
	conn.SetPongHandler(func(payload string) error { ponged = payload; return nil })
	must(conn.WriteControl(websocket.PingMessage, []byte("are you there?"), time.Now().Add(time.Second)))
	echo(conn, websocket.TextMessage, []byte("after a ping"))
	if ponged != "are you there?" {
		log.Fatalf("the pong says %q", ponged)
	}

	must(conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(4001, "bye"), time.Now().Add(time.Second)))
	_, _, err = conn.ReadMessage()
	if !websocket.IsCloseError(err, 4001) {
		log.Fatalf("closing: %v", err)
	}
	negotiated := response.Header.Get("Sec-WebSocket-Extensions")
	if negotiated == "" {
		negotiated = "none"
	}
	fmt.Println(negotiated)
}

func echo(conn *websocket.Conn, kind int, message []byte) {
	must(conn.WriteMessage(kind, message))
	backKind, back, err := conn.ReadMessage()
	must(err)
	if backKind != kind || !bytes.Equal(back, message) {
		log.Fatalf("%d bytes came back as %d others", len(message), len(back))
	}
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
