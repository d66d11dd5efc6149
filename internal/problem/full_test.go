package problem_test

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"

	"partnerguard/internal/problem"
)

type lite int

func (l lite) Error() string { return "lite" }
func (l lite) Code() int     { return int(l) }

type server string

func (s server) Error() string    { return "server" }
func (s server) SQLState() string { return string(s) }

func TestDiskFull(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]bool{
		syscall.ENOSPC: true, syscall.EIO: false, lite(13): true, lite(13 | 1<<8): true, lite(5): false, server("53100"): true, server("53200"): false,
		errors.New("disk full"): false,
	} {
		if got := problem.DiskFull(problem.Wrap(fmt.Errorf("writing: %w", err), problem.Internal, "it could not be stored")); got != want {
			t.Errorf("%v: %v", err, got)
		}
	}
	if problem.DiskFull(nil) {
		t.Error("nothing is no full disk")
	}
	if f, err := os.OpenFile("/dev/full", os.O_WRONLY, 0); err == nil {
		defer f.Close()
		if _, err := f.WriteString("x"); !problem.DiskFull(err) {
			t.Errorf("/dev/full: %v", err)
		}
	}
}
