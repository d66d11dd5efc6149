package vault

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

// SecretSpecs are the ways to name a secret of a setting, for help texts.
const SecretSpecs = "file:PATH, systemd:NAME"

// CheckSecret refuses, as problem.Usage, a setting that names no secret. It is
// never quoted: somebody may have put the secret itself there.
func CheckSecret(spec string) error {
	kind, rest, _ := strings.Cut(spec, ":")
	bad := rest == "" || strings.ContainsRune(rest, 0)
	switch kind {
	case "file":
	case "systemd":
		bad = bad || strings.HasPrefix(rest, ".") || strings.ContainsAny(rest, `/\`)
	default:
		bad = true
	}
	if bad {
		return problem.New(problem.Usage, "the secret is of no known kind").WithHint("a secret is one of: %s", SecretSpecs)
	}
	return nil
}

// ReadSecret reads the secret that a setting names, one line, out of a file for its
// owner alone or a systemd credential, each time anew. A nil look is os.LookupEnv.
func ReadSecret(spec string, look func(string) (string, bool)) (secret.Text, error) {
	if err := CheckSecret(spec); err != nil {
		return secret.Text{}, err
	}
	if look == nil {
		look = os.LookupEnv
	}
	kind, path, _ := strings.Cut(spec, ":")
	says := "secret file " + path
	if kind == "systemd" {
		dir, _ := look("CREDENTIALS_DIRECTORY")
		if dir == "" {
			return secret.Text{}, problem.New(problem.Usage, "there are no systemd credentials here: CREDENTIALS_DIRECTORY is not set")
		}
		says, path = "systemd credential "+path, filepath.Join(dir, path)
	}
	// A pipe without a writer would wait for ever.
	if i, err := os.Stat(path); err == nil && !i.Mode().IsRegular() {
		return secret.Text{}, problem.New(problem.BadInput, "the %s is not a file", says)
	}
	raw, err := readSecretFile(path, says, "it holds the secret in one line", kind == "file")
	if p, ok := errors.AsType[*problem.Error](err); ok && errors.Is(err, problem.BadInput) && runtime.GOOS != "windows" {
		return secret.Text{}, p.WithHint("chmod 600 %s; and if others were on this machine, change the secret", path)
	}
	if err != nil {
		return secret.Text{}, err
	}
	defer clear(raw)
	text := strings.TrimSuffix(strings.TrimSuffix(string(raw), "\n"), "\r")
	if text == "" || strings.ContainsAny(text, "\n\r\x00") {
		return secret.Text{}, problem.New(problem.BadInput, "the %s does not hold one line", says)
	}
	return secret.New(text), nil
}
