package vault

import (
	"net/http"
	"os"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"partnerguard/internal/entra"
	"partnerguard/internal/problem"
)

// Env is what master keys reach the world through. Each may be nil: then the
// masters that need it are refused, except where it says otherwise.
type Env struct {
	Prompt     Prompt                                 // for "passphrase"
	LookupEnv  func(string) (string, bool)            // nil is os.LookupEnv
	Credential func() (azcore.TokenCredential, error) // for "azurekeyvault:"
	Transport  http.RoundTripper                      // to Key Vault; nil is the network
}

// Specs are the ways to name a master key, for help texts.
const Specs = "file:PATH, passphrase, passphrase-file:PATH, systemd:NAME, azurekeyvault:https://NAME." + entra.KeyVaultHost + "/keys/KEY"

// ParseMaster reads which master key a setting names. Nothing is read or asked
// for until the master is used. A setting is never quoted back: somebody may
// have put a passphrase into it.
func ParseMaster(spec string, e Env) (Master, error) {
	usage := func(format string, args ...any) *problem.Error {
		return problem.New(problem.Usage, format, args...).WithHint("a master key is one of: %s", Specs)
	}
	kind, rest, has := strings.Cut(spec, ":")
	switch kind {
	case "file", "passphrase-file", "systemd", "azurekeyvault":
		if rest == "" {
			return nil, usage("the master key says %s: and not which", kind)
		}
	case "passphrase":
		if has {
			return nil, usage("a passphrase is asked for or comes from a file; it is never part of a setting or of a command")
		}
	default:
		return nil, usage("the master key is of no known kind")
	}
	switch kind {
	case "file":
		return NewKeyFile(rest), nil
	case "passphrase-file":
		return NewPassphraseFile(rest), nil
	case "systemd":
		look := e.LookupEnv
		if look == nil {
			look = os.LookupEnv
		}
		dir, _ := look("CREDENTIALS_DIRECTORY")
		return NewCredential(dir, rest)
	case "passphrase":
		if e.Prompt == nil {
			return nil, usage("there is no terminal to ask for the passphrase").
				WithHint("use passphrase-file:PATH; PATH may be an open descriptor like /dev/fd/3")
		}
		return NewPassphrase(e.Prompt), nil
	}
	if _, _, _, err := parseKeyURL(rest); err != nil {
		return nil, err
	}
	if e.Credential == nil {
		return nil, usage("there is no credential for Azure Key Vault")
	}
	cred, err := e.Credential()
	if err != nil {
		return nil, problem.Wrap(err, problem.BadInput, "the credential for Azure Key Vault cannot be used").WithHint("%s", problem.HintOf(err))
	}
	return NewAzureKey(rest, cred, e.Transport)
}
