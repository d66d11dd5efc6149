// Command renew measures the renewal of a control panel vendor's connections,
// one a partner, against a token endpoint that throttles, and prints a table.
//
//	go run .          1,000 and 5,000 connections, some minutes
//	go run . -smoke   120 connections at a higher limit, seconds
//
// It is the real thing but for Entra ID: database and vault on disk, one River
// job a connection, our client, real HTTP. The endpoint is a process of its own
// and allows so many requests a second for one application id, with one second's
// worth at once; what is above that is answered 429 with Retry-After, and counts
// again as a request. Microsoft publishes no limit for token requests. The 50 a
// second are what it names for one application id at application consents
// (contracts.md section 2.5), taken over by assumption.
//
// The run fails when a connection is not renewed, when a token is asked with
// that is not one of the last two, or when more than one in a hundred requests
// is throttled. Each size is a process of its own, so that its peak memory is
// its own; the peak is taken after the connections were made.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"text/tabwriter"
)

// job is one measurement, told to a process of its own.
type job struct {
	N     int
	Limit float64 // requests a second that the endpoint allows
	Pace  float64 // that we keep to; 0 is the program's own
}

type result struct {
	Seconds            float64
	Requests, Throttle int
	PeakMB, BeforeMB   float64
	DatabaseMB         float64
}

const (
	jobEnv      = "PARTNERGUARD_BENCH_RENEW"
	endpointEnv = "PARTNERGUARD_BENCH_ENDPOINT"
)

func main() {
	smoke := flag.Bool("smoke", false, "few connections, seconds")
	flag.Parse()
	switch {
	case os.Getenv(endpointEnv) != "":
		exit(endpoint(os.Getenv(endpointEnv)))
	case os.Getenv(jobEnv) != "":
		exit(work(os.Getenv(jobEnv)))
	}
	jobs := []job{{1000, 50, 0}, {5000, 50, 0}}
	if *smoke {
		jobs = []job{{120, 100, 90}}
	}
	fmt.Println("renewal of a control panel vendor's connections, one a partner (limit: assumed, see the source)")
	tab := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tab, "connections\tallowed/s\tseconds\tachieved/s\tof the allowed\trequests\t429\tpeak MB\tof it before\tdatabase MB\t")
	for _, j := range jobs {
		r, err := measure(j)
		if err != nil {
			exit(err)
		}
		rate := float64(j.N) / r.Seconds
		fmt.Fprintf(tab, "%d\t%.0f\t%.1f\t%.1f\t%.2f\t%d\t%d\t%.0f\t%.0f\t%.0f\t\n", j.N, j.Limit, r.Seconds, rate, rate/j.Limit, r.Requests, r.Throttle,
			r.PeakMB, r.BeforeMB, r.DatabaseMB)
		if err := tab.Flush(); err != nil {
			exit(err)
		}
		if r.Throttle*100 > r.Requests {
			exit(fmt.Errorf("%d of %d requests were throttled: a storm", r.Throttle, r.Requests))
		}
	}
	exit(nil)
}

// measure runs a job in a process of its own.
func measure(j job) (r result, err error) {
	raw, err := json.Marshal(j)
	if err != nil {
		return r, err
	}
	self, err := os.Executable()
	if err != nil {
		return r, err
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), jobEnv+"="+string(raw))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return r, fmt.Errorf("%d connections: %w", j.N, err)
	}
	return r, json.Unmarshal(out, &r)
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// startEndpoint starts the endpoint as a process and gives its address; it ends
// with our end of its standard input.
func startEndpoint(limit float64) (address string, stop func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return "", nil, err
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%v", endpointEnv, limit))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return "", nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() { _ = in.Close(); _ = cmd.Wait() }
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		stop()
		return "", nil, err
	}
	return strings.TrimSpace(line), stop, nil
}
