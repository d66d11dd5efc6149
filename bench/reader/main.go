// Command reader reads files or folders as the product does and prints its peak memory. It is
// a program of its own so that the others measured here do not carry the product.
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"

	"partnerguard/internal/app"
)

func main() {
	if err := read(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "reader:", err)
		os.Exit(1)
	}
}

func read(paths []string) error {
	f, err := app.Read(context.Background(), app.Reading{From: paths}, nil)
	if err != nil {
		return err
	}
	if f.SignIns == nil || f.SignIns.Rows == 0 || len(f.SignIns.Accounts) == 0 {
		return fmt.Errorf("implausible: %+v", f.SignIns)
	}
	for i := range f.Inputs {
		if n := f.Inputs[i].Notes; len(n) > 0 {
			fmt.Fprintln(os.Stderr, f.Inputs[i].Path, n[0].Message)
		}
	}
	status, err := os.Open("/proc/self/status")
	if err != nil {
		return err
	}
	defer status.Close()
	for lines := bufio.NewScanner(status); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), "VmHWM:"); ok {
			_, err := fmt.Println("peak", strings.TrimSpace(rest))
			return err
		}
	}
	return fmt.Errorf("no VmHWM in /proc/self/status")
}
