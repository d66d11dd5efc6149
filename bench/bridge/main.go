// Command bridge measures the mail bridge beside a plain TCP proxy on the same work, in
// one interleaved run.
//
//	go run .          the tables, some minutes
//	go run . -smoke   seconds: does the same mail come through both?
//
// A device's mail goes by SMTP with STARTTLS to a server that keeps nothing, and a
// mailbox is read by IMAP over TLS: once through the bridge, once through a proxy that
// moves the bytes as they are. The proxy reads nothing: TLS goes through it from end to
// end, and the kernel moves what it can (splice). The bridge ends TLS on both sides, asks
// for the device's password, checks the head, seals each message to the disk and flushes
// it before the device is told that it was taken, and sends it on from there.
//
// What is between runs in a process of its own, so that its processor time and its memory
// are its own; the device and the server are the same for both.
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"text/tabwriter"
	"time"
)

// How the parent tells what is between.
const (
	kindVar = "PARTNERGUARD_BENCH_BRIDGE"
	farVar  = "PARTNERGUARD_BENCH_FAR"
)

func main() {
	smoke := flag.Bool("smoke", false, "few messages: that the same comes through both")
	rounds := flag.Int("rounds", 5, "interleaved rounds")
	messages := flag.Int("messages", 120, "messages of 1 MB in a round")
	profile := flag.String("profile", "", "write a CPU profile of the bridge's process to this file")
	flag.Parse()
	var err error
	if kind := os.Getenv(kindVar); kind != "" {
		err = between(kind, *profile)
	} else {
		if *smoke {
			*rounds, *messages = 1, 8
		}
		err = compare(*rounds, *messages, *smoke, *profile)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bridge:", err)
		os.Exit(1)
	}
}

const (
	mb    = 1 << 20
	lanes = 4 // devices at once
)

// cell is what one way took, of each round.
type cell struct{ cpu, rate []float64 } // ms a message; MB a second

func compare(rounds, messages int, smoke bool, profile string) error {
	dir, err := os.MkdirTemp("", "partnerguard-bridge-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	far, err := newFar(dir)
	if err != nil {
		return err
	}
	table := map[string]*cell{}
	works := []string{"send", "read"}
	kinds := []string{"proxy", "bridge"}
	for _, k := range kinds {
		m, err := begin(k, far, profile)
		if err != nil {
			return fmt.Errorf("%s: %w", k, err)
		}
		defer m.end()
		far.ways = append(far.ways, m)
		for _, w := range works {
			table[k+w] = &cell{}
		}
	}
	for range rounds {
		for _, work := range works {
			for _, m := range far.ways {
				c, err := far.turn(m, work, messages, mb)
				if err != nil {
					return fmt.Errorf("%s, %s: %w", m.kind, work, err)
				}
				x := table[m.kind+work]
				x.cpu, x.rate = append(x.cpu, c.cpu.Seconds()*1e3/float64(messages)), append(x.rate, float64(messages)/c.wall.Seconds())
			}
		}
	}
	fmt.Printf("the same came through both: %d messages sent and %d read of 1 MB each, every byte of every body\n", rounds*messages, rounds*messages)
	sizes := []int{1, 50}
	if smoke {
		sizes = []int{1, 8}
	}
	peaks, err := memory(far, sizes)
	if err != nil {
		return err
	}
	if !smoke {
		printed(table, works)
	}
	tab := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tab, "memory of the bridge\tresident at most\theap at most\t")
	for i, p := range peaks {
		fmt.Fprintf(tab, "%d devices send and read messages of %d MB\t%d MB\t%.1f MB\t\n", lanes, sizes[i], p.Peak>>10, float64(p.Heap)/mb)
	}
	if err := tab.Flush(); err != nil {
		return err
	}
	if a, b := peaks[0].Heap, peaks[1].Heap; b > a+a/2+16*mb {
		return fmt.Errorf("memory is not flat: %d MB of heap at %d MB, %d at %d", a/mb, sizes[0], b/mb, sizes[1])
	}
	return nil
}

func printed(table map[string]*cell, works []string) {
	tab := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tab, "1 MB messages\tproxy MB/s\tbridge MB/s\tratio\tproxy ms of processor\tbridge ms of processor\t")
	missed := false
	for _, w := range works {
		p, b := table["proxy"+w], table["bridge"+w]
		ratio := middle(b.rate) / middle(p.rate)
		missed = missed || ratio < 0.5
		fmt.Fprintf(tab, "%s\t%.0f\t%.0f\t%.2f\t%.2f\t%.2f\t\n", map[string]string{"send": "sent by SMTP", "read": "read by IMAP"}[w], middle(p.rate),
			middle(b.rate), ratio, middle(p.cpu), middle(b.cpu))
	}
	_ = tab.Flush()
	if missed {
		fmt.Println("MISSED: the target is half of the proxy's throughput")
	}
}

// memory has a bridge of its own pass messages of each size, and says what it took.
func memory(far *far, sizes []int) (out []state, err error) {
	for _, size := range sizes {
		m, err := begin("bridge", far, "")
		if err != nil {
			return nil, err
		}
		for _, work := range []string{"send", "read"} {
			if _, err := far.turn(m, work, 2*lanes, size*mb); err != nil {
				m.end()
				return nil, fmt.Errorf("messages of %d MB: %w", size, err)
			}
		}
		s, err := m.ask()
		m.end()
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// middle is the median.
func middle(v []float64) float64 {
	v = slices.Clone(v)
	slices.Sort(v)
	return v[len(v)/2]
}

// cost is what a turn took: processor time of what is between, and the clock.
type cost struct{ cpu, wall time.Duration }
