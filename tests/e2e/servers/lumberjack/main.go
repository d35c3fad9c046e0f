// The reference server of the lumberjack protocol, version 2. Each event becomes a line of -output,
//
//	{"peer": "127.0.0.1:5", "subject": "CN=agent", "window": 3, "event": {...}}
//
// before its window is acknowledged. Commands come on standard input, one a line, and are answered by "ok":
//
//	delay 500ms   from now on each window is acknowledged that much later
//	hold          windows are not acknowledged; keep-alives go on
//	release       no more, and those that were held are
//	close         all connections end, by FIN
//	reset         all connections end, by RST
package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/elastic/go-lumber/lj"
	"github.com/elastic/go-lumber/server/v2"
)

// trackingListener knows the connections that are open.
type trackingListener struct {
	net.Listener
	mutex sync.Mutex
	open  map[*trackedConn]bool
}

type trackedConn struct {
	*net.TCPConn
	from *trackingListener
}

func (l *trackingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	tracked := &trackedConn{conn.(*net.TCPConn), l}
	l.mutex.Lock()
	l.open[tracked] = true
	l.mutex.Unlock()
	return tracked, nil
}

func (c *trackedConn) Close() error {
	c.from.mutex.Lock()
	delete(c.from.open, c)
	c.from.mutex.Unlock()
	return c.TCPConn.Close()
}

func (l *trackingListener) closeAll(reset bool) {
	l.mutex.Lock()
	open := l.open
	l.open = map[*trackedConn]bool{}
	l.mutex.Unlock()
	for conn := range open {
		if reset {
			_ = conn.SetLinger(0)
		}
		_ = conn.TCPConn.Close()
	}
}

// receiver writes windows down and acknowledges them when it is their time.
type receiver struct {
	mutex   sync.Mutex
	output  *os.File
	windows int
	delay   time.Duration
	holding bool
	held    []*lj.Batch
}

func (r *receiver) take(batch *lj.Batch) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	subject := ""
	if batch.TLS != nil && len(batch.TLS.PeerCertificates) > 0 {
		subject = batch.TLS.PeerCertificates[0].Subject.String()
	}
	var lines bytes.Buffer
	encoder := json.NewEncoder(&lines)
	encoder.SetEscapeHTML(false)
	for _, event := range batch.Events {
		line := map[string]interface{}{"peer": batch.RemoteAddr, "subject": subject, "window": r.windows, "event": event}
		if err := encoder.Encode(line); err != nil {
			log.Fatalf("an event cannot be written: %v", err)
		}
	}
	r.windows++
	if _, err := r.output.Write(lines.Bytes()); err != nil {
		log.Fatalf("events cannot be written: %v", err)
	}
	switch {
	case r.holding:
		r.held = append(r.held, batch)
	case r.delay > 0:
		time.AfterFunc(r.delay, batch.ACK)
	default:
		batch.ACK()
	}
}

func (r *receiver) hold(holding bool) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.holding = holding
	if !holding {
		for _, batch := range r.held {
			batch.ACK()
		}
		r.held = nil
	}
}

func (r *receiver) setDelay(delay time.Duration) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.delay = delay
}

// keepRaw takes objects only, and keeps their bytes: numbers and repeated keys stay as they came.
func keepRaw(data []byte, into interface{}) error {
	trimmed := bytes.TrimSpace(data)
	if !json.Valid(trimmed) || len(trimmed) == 0 || trimmed[0] != '{' {
		return errors.New("an event is no JSON object")
	}
	*into.(*interface{}) = json.RawMessage(bytes.Clone(trimmed))
	return nil
}

func tlsConfig(cert, key, clientCA string) *tls.Config {
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		log.Fatal(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{pair}}
	if clientCA != "" {
		text, err := os.ReadFile(clientCA)
		if err != nil {
			log.Fatal(err)
		}
		config.ClientCAs = x509.NewCertPool()
		config.ClientCAs.AppendCertsFromPEM(text)
		config.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return config
}

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "address")
	output := flag.String("output", "/dev/stderr", "file that gets the events")
	cert := flag.String("cert", "", "certificate file: TLS")
	key := flag.String("key", "", "its key")
	clientCA := flag.String("client-ca", "", "file of those that sign clients: client certificates are demanded")
	keepalive := flag.Duration("keepalive", 3*time.Second, "between keep-alives while a window waits")
	flag.Parse()

	file, err := os.OpenFile(*output, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		log.Fatal(err)
	}
	tcp, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	connections := &trackingListener{Listener: tcp, open: map[*trackedConn]bool{}}
	var listener net.Listener = connections
	if *cert != "" {
		listener = newTLSListener(connections, tlsConfig(*cert, *key, *clientCA))
	}
	server, err := v2.NewWithListener(listener, v2.Keepalive(*keepalive), v2.JSONDecoder(keepRaw))
	if err != nil {
		log.Fatal(err)
	}
	events := &receiver{output: file}
	go func() {
		for batch := range server.ReceiveChan() {
			events.take(batch)
		}
	}()
	fmt.Printf("listening on %s\n", tcp.Addr())
	obey(connections, events)
}

// tlsListener gives connections whose handshake is done, as the library asks for the client's certificate at once.
// One that does not come to its end keeps nobody else waiting.
type tlsListener struct {
	net.Listener
	config *tls.Config
	ready  chan net.Conn
}

func newTLSListener(inner net.Listener, config *tls.Config) *tlsListener {
	l := &tlsListener{inner, config, make(chan net.Conn)}
	go func() {
		for {
			conn, err := inner.Accept()
			if err != nil {
				close(l.ready)
				return
			}
			go l.shakeHands(conn)
		}
	}()
	return l
}

func (l *tlsListener) shakeHands(conn net.Conn) {
	secured := tls.Server(conn, l.config)
	if err := secured.Handshake(); err != nil {
		log.Printf("handshake: %v", err)
		_ = conn.Close()
		return
	}
	l.ready <- secured
}

func (l *tlsListener) Accept() (net.Conn, error) {
	conn, open := <-l.ready
	if !open {
		return nil, net.ErrClosed
	}
	return conn, nil
}

// obey reads commands until standard input ends.
func obey(connections *trackingListener, events *receiver) {
	commands := bufio.NewScanner(os.Stdin)
	for commands.Scan() {
		name, argument, _ := strings.Cut(commands.Text(), " ")
		switch name {
		case "delay":
			delay, err := time.ParseDuration(argument)
			if err != nil {
				log.Fatal(err)
			}
			events.setDelay(delay)
		case "hold", "release":
			events.hold(name == "hold")
		case "close", "reset":
			connections.closeAll(name == "reset")
		default:
			log.Fatalf("unknown command %q", name)
		}
		fmt.Println("ok")
	}
}
