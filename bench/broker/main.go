// Command broker measures the broker's cached hand-out beside a Go handler that
// answers a constant of the same size, interleaved in one run, and prints
// requests per second of the server's processor time.
//
//	go run .          the table, a minute or two
//	go run . -smoke   a second: is every token that was handed out in the trail?
//
// Each server is a process of its own, so that its processor time is its own
// and the load's is not counted. The broker's path is the whole one: connection
// owner, header, protocol, policy, cache, and an entry of the audit trail in
// SQLite that is flushed to disk before the answer. Both have the same limits
// and the same headers.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// How the parent tells its servers.
const (
	serverVar  = "PARTNERGUARD_BENCH_SERVER"
	sizeVar    = "PARTNERGUARD_BENCH_SIZE"
	profileVar = "PARTNERGUARD_BENCH_PROFILE"
)

func main() {
	smoke := flag.Bool("smoke", false, "a short run, agreement only")
	rounds := flag.Int("rounds", 5, "interleaved rounds")
	lasts := flag.Duration("for", 3*time.Second, "how long each turn lasts")
	profile := flag.String("profile", "", "write a CPU profile of the broker's process to this file")
	only := flag.Int("connections", 0, "only with so many connections")
	flag.Parse()
	if kind := os.Getenv(serverVar); kind != "" {
		exit(serve(kind))
	}
	if *profile != "" {
		if err := os.Setenv(profileVar, *profile); err != nil {
			exit(err)
		}
	}
	connections := []int{16, 64, 256, 1024}
	if *only > 0 {
		connections = []int{*only}
	}
	if *smoke {
		*rounds, *lasts, connections = 1, 300*time.Millisecond, []int{64}
	}
	exit(compare(*rounds, *lasts, connections, *smoke))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// server is one of the two, in a process of its own.
type server struct {
	kind string
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
	where
}

// where is what a server first says.
type where struct {
	Addr   string `json:"addr"`
	Target string `json:"target"`
	Header string `json:"header"`
}

// state is what a server says when asked.
type state struct {
	CPU     time.Duration `json:"cpu"`     // user and system, since its start
	Entries int64         `json:"entries"` // of the trail, all verified
	Pages   int64         `json:"pages"`   // commits they took
	Peak    int64         `json:"peak"`    // resident, in kilobytes
}

func begin(kind string, size int) (*server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s := &server{kind: kind, cmd: exec.Command(self)}
	s.cmd.Env = append(os.Environ(), serverVar+"="+kind, fmt.Sprintf("%s=%d", sizeVar, size))
	s.cmd.Stderr = os.Stderr
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s.out = bufio.NewReader(out)
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	return s, s.read(&s.where)
}

func (s *server) read(v any) error {
	line, err := s.out.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("%s: %w", s.kind, err)
	}
	return json.Unmarshal(line, v)
}

func (s *server) ask(word string) (st state, err error) {
	if _, err = io.WriteString(s.in, word+"\n"); err != nil {
		return st, err
	}
	return st, s.read(&st)
}

func (s *server) end() { _ = s.in.Close(); _ = s.cmd.Wait() }

func compare(rounds int, lasts time.Duration, connections []int, smoke bool) error {
	b, err := begin("broker", 0)
	if err != nil {
		return err
	}
	defer b.end()
	size, err := b.size()
	if err != nil {
		return err
	}
	c, err := begin("constant", size)
	if err != nil {
		return err
	}
	defer c.end()
	if n, err := c.size(); err != nil || n != size {
		return fmt.Errorf("the answers have %d and %d bytes, %w", size, n, err)
	}
	handed := int64(1)
	type cell struct{ perCPU, perSecond []float64 }
	table := map[int]map[string]*cell{}
	var commits []float64
	for _, n := range connections {
		table[n] = map[string]*cell{"constant": {}, "broker": {}}
		for range rounds {
			for _, s := range []*server{c, b} {
				var before state
				var start time.Time
				warm, done, err := s.load(n, lasts, func() (err error) {
					before, err = s.ask("cpu")
					start = time.Now()
					return err
				})
				took := time.Since(start)
				if err != nil {
					return fmt.Errorf("%s: %w", s.kind, err)
				}
				after, err := s.ask("cpu")
				if err != nil {
					return err
				}
				if s == b {
					handed += warm + done
					commits = append(commits, float64(done)/float64(max(after.Pages-before.Pages, 1)))
				}
				x := table[n][s.kind]
				x.perCPU = append(x.perCPU, float64(done)/(after.CPU-before.CPU).Seconds())
				x.perSecond = append(x.perSecond, float64(done)/took.Seconds())
			}
		}
	}
	st, err := b.ask("verify")
	if err != nil {
		return err
	}
	if st.Entries != handed {
		return fmt.Errorf("%d tokens were handed out and the trail has %d entries", handed, st.Entries)
	}
	fmt.Printf("all %d tokens handed out are in the trail, and its chain holds; %d bytes an answer\n", handed, size)
	if smoke {
		return nil
	}
	tab := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tab, "connections\tconstant, per CPU second\tbroker, per CPU second\tratio\tbroker, per second\ttokens a commit\t")
	missed := false
	for i, n := range connections {
		cc, bb := middle(table[n]["constant"].perCPU), middle(table[n]["broker"].perCPU)
		fmt.Fprintf(tab, "%d\t%.0f\t%.0f\t%.2f\t%.0f\t%.0f\t\n", n, cc, bb, bb/cc, middle(table[n]["broker"].perSecond), middle(commits[i*rounds:(i+1)*rounds]))
		missed = missed || n >= 256 && bb/cc < 0.5
	}
	if err := tab.Flush(); err != nil {
		return err
	}
	fmt.Printf("the broker's peak memory: %d MB\n", st.Peak/1024)
	if missed {
		fmt.Println("MISSED: the target is half of the constant handler's requests per CPU second with many connections")
	}
	return nil
}

// middle is the median.
func middle(v []float64) float64 {
	v = slices.Clone(v)
	slices.Sort(v)
	return v[len(v)/2]
}

// request is what every connection sends, over and over.
func (s *server) request() []byte {
	return []byte(strings.Join([]string{"GET " + s.Target + " HTTP/1.1", "Host: " + s.Addr, "User-Agent: azsdk-go-azidentity/v1.15.0", "X-Identity-Header: " +
		s.Header, "Accept: */*", "", ""}, "\r\n"))
}
