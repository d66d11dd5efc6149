package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// process is a server under measurement, with its children.
type process struct {
	name string
	at   string // host:port
	cmd  *exec.Cmd
	log  bytes.Buffer
}

// start runs a server in a group of its own, and waits until it listens.
func start(name, at, program string, args ...string) *process {
	p := &process{name: name, at: at, cmd: exec.Command(program, args...)}
	p.cmd.Stdout, p.cmd.Stderr = &p.log, &p.log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	must(p.cmd.Start())
	started.Store(p.cmd.Process.Pid, true)
	for range 200 {
		if c, err := net.Dial("tcp", at); err == nil {
			_ = c.Close()
			return p
		}
		time.Sleep(25 * time.Millisecond)
	}
	p.stop()
	must(fmt.Errorf("%s does not listen on %s: %s", name, at, p.log.String()))
	return nil
}

func (p *process) stop() {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGTERM)
	done := make(chan struct{})
	go func() { _ = p.cmd.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(3 * time.Second):
	}
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	started.Delete(p.cmd.Process.Pid)
}

// started has the servers' groups that run now.
var started sync.Map

// endAll ends them when the bench is told to end: Apache's children outlive it otherwise.
func endAll() {
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		<-told
		for range 2 { // once more, for a child that was just being made
			started.Range(func(pid, _ any) bool {
				_ = syscall.Kill(-pid.(int), syscall.SIGKILL)
				return true
			})
			time.Sleep(200 * time.Millisecond)
		}
		os.Exit(1)
	}()
}

// tick is the unit of /proc: USER_HZ, which Linux tells every program as 100.
const tick = 10 * time.Millisecond

// spent is the processor time, user and system, of the process and all below it, those
// that ended included.
func (p *process) spent() time.Duration {
	parents, ticks := map[int]int{}, map[int]int64{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		pid, _ := strconv.Atoi(strings.Split(path, "/")[2])
		f := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		parents[pid], _ = strconv.Atoi(f[1])
		for _, i := range []int{11, 12, 13, 14} { // utime, stime, cutime, cstime
			n, _ := strconv.ParseInt(f[i], 10, 64)
			ticks[pid] += n
		}
	}
	total := int64(0)
	for pid := range parents {
		for at := pid; at > 1; at = parents[at] {
			if at == p.cmd.Process.Pid {
				total += ticks[pid]
				break
			}
		}
	}
	return time.Duration(total) * tick
}

// resident is the memory of the process alone, in MB.
func (p *process) resident() float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "VmRSS:" {
			n, _ := strconv.ParseFloat(f[1], 64)
			return n / 1024
		}
	}
	return 0
}

// freePort is one that nobody has now.
func freePort() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	defer l.Close()
	return l.Addr().String()
}
