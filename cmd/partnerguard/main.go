// Command partnerguard proves, rehearses, enforces and keeps the Partner
// security requirements of Microsoft's Cloud Solution Provider programme.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"partnerguard/internal/cli"
)

func main() {
	ends := []os.Signal{syscall.SIGTERM}
	if !signal.Ignored(os.Interrupt) { // of a job in the background: listening would undo it
		ends = append(ends, os.Interrupt)
	}
	ctx, stop := signal.NotifyContext(context.Background(), ends...)
	code := cli.Main(ctx, cli.Env{
		Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv,
	})
	stop()
	os.Exit(code)
}
