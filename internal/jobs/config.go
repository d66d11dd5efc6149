package jobs

import (
	"net"
	"strconv"
	"time"

	"partnerguard/internal/problem"
)

// Config is how much is done at once, and where a worker says how it is. A tag is a
// setting's name in the file, its flag, its default and what it is about.
type Config struct {
	// Concurrency is how many jobs serve or a worker does at the same time, 1 to
	// 1000.
	Concurrency string `yaml:"concurrency" flag:"concurrency" default:"4" about:"how many jobs are done at the same time, 1 to 1000"`
	// WorkerListen is where worker answers /healthz, /readyz and /metrics: on this
	// machine alone.
	WorkerListen string `yaml:"workerListen" flag:"worker-listen" default:"127.0.0.1:8444" about:"the loopback address worker tells its health on"`
}

// Check refuses what cannot be worked with.
func (c *Config) Check(bad func(name, format string, args ...any) *problem.Error) error {
	if n, err := strconv.Atoi(c.Concurrency); err != nil || n < 1 || n > maxWorkers {
		return bad("concurrency", "%.40q is no number from 1 to %d", c.Concurrency, maxWorkers)
	}
	host, port, err := net.SplitHostPort(c.WorkerListen)
	if ip := net.ParseIP(host); err != nil || port == "" || host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return bad("workerListen", "%.80q is no loopback address with a port", c.WorkerListen).
			WithHint("e.g. 127.0.0.1:8444; whoever watches from outside goes through a proxy of yours")
	}
	return nil
}

// Workers is Concurrency as a number.
func (c *Config) Workers() int {
	n, _ := strconv.Atoi(c.Concurrency) // Check has seen it
	return n
}

// maxWorkers is how many jobs one process does at the same time, at most.
const maxWorkers = 1000

// Times of the word that processes have of each other.
const (
	beatEvery = 10 * time.Second // how often a process says that it is there
	deadAfter = 45 * time.Second // without a word, on the watcher's own even clock
)
