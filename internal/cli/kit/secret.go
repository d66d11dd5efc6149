package kit

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

// ask reads a secret from the terminal, without showing it.
func ask(env *Env, label string) (secret.Text, error) {
	f, tty := os.Stdin, false
	if in, ok := env.Stdin.(*os.File); ok {
		f, tty = in, term.IsTerminal(int(in.Fd()))
	}
	if !tty {
		return secret.Text{}, problem.New(problem.Usage, "%s is asked for, and standard input is no terminal", label).
			WithHint("use passphrase-file:PATH, file:PATH or systemd:NAME where nobody can type")
	}
	fmt.Fprintf(env.Stderr, "%s: ", label)
	b, err := term.ReadPassword(int(f.Fd()))
	fmt.Fprintln(env.Stderr)
	if err != nil {
		return secret.Text{}, problem.Wrap(err, problem.BadInput, "%s could not be read", label)
	}
	defer clear(b)
	return secret.New(string(b)), nil
}

// Ask asks for a secret on the terminal, with confirm twice.
func Ask(env *Env, label string, confirm bool) (secret.Text, error) {
	return askTwice(env, label, confirm)
}

// askTwice asks for a new secret a second time, since nobody saw the first.
func askTwice(env *Env, label string, confirm bool) (secret.Text, error) {
	s, err := ask(env, label)
	if err != nil || !confirm {
		return s, err
	}
	again, err := ask(env, label+", once more")
	if err != nil {
		return secret.Text{}, err
	}
	if !s.Equal(again) {
		return secret.Text{}, problem.New(problem.BadInput, "the two are not the same")
	}
	return s, nil
}

// ReadSecret reads one line from a file, or from standard input for "-".
func ReadSecret(env *Env, path string) (secret.Text, error) {
	const most = 16 << 10
	r := env.Input()
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return secret.Text{}, problem.Wrap(err, problem.NotFound, "the file %s cannot be read", path)
		}
		defer f.Close()
		r = f
	} else if _, tty := terminalIn(env.Stdin); tty {
		return ask(env, "the secret")
	}
	line, err := bufio.NewReader(io.LimitReader(r, most+1)).ReadString('\n')
	line = strings.TrimRight(line, "\r\n")
	if err != nil && !errors.Is(err, io.EOF) || line == "" || len(line) > most {
		return secret.Text{}, problem.New(problem.BadInput, "no secret could be read from %s", path).WithHint("one line of at most %d bytes", most)
	}
	return secret.New(line), nil
}

func terminalIn(r io.Reader) (*os.File, bool) {
	f, ok := r.(*os.File)
	return f, ok && term.IsTerminal(int(f.Fd()))
}
