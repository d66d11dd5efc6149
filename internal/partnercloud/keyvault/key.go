package keyvault

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // RSA-OAEP is defined with SHA-1
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"io"
	"math/big"
	"net/http"
	"slices"

	"partnerguard/internal/partnercloud/kit"
	"partnerguard/internal/partnercloud/world"
)

// found is one version of a key as it was at the request.
type found struct {
	name     string
	version  world.VaultKeyVersion
	seed     string
	versions []world.VaultKeyVersion
}

func (k *call) find() (found, *fault) {
	var f found
	missing := refuse(http.StatusNotFound, "KeyNotFound", "A key with (name/id) "+k.name+
		" was not found in this key vault. If you recently deleted this key you may be able to recover it using the correct recovery command. For help "+
		"resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125182")
	k.v.world.Read(func(s *world.State) {
		if s.KeyVault == nil {
			return
		}
		key := s.KeyVault.Key(k.name)
		if key == nil {
			return
		}
		if v := key.Version(k.ver); v != nil {
			f = found{name: key.Name, version: *v, seed: string(s.KeySeed(v.ID)), versions: slices.Clone(key.Versions)}
			missing = nil
		}
	})
	return f, missing
}

// private gives the version's key, making it the first time.
func (v *Vault) private(f found) (*rsa.PrivateKey, *fault) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if k := v.made[f.seed]; k != nil {
		return k, nil
	}
	k, err := makeKey([]byte(f.seed))
	if err != nil {
		return nil, refuse(http.StatusInternalServerError, "InternalServerError", "The key could not be made.")
	}
	v.made[f.seed] = k
	return k, nil
}

func kid(name, version string) string { return "https://" + Host + "/keys/" + name + "/" + version }

func attributes(v world.VaultKeyVersion) object {
	return object{"enabled": !v.Disabled, "created": v.Created.Unix(), "updated": v.Created.Unix(), "recoveryLevel": "Recoverable+Purgeable",
		"recoverableDays": 90, "exportable": false}
}

var b64 = base64.RawURLEncoding

func (k *call) get() (object, *fault) {
	f, missing := k.find()
	if missing != nil {
		return nil, missing
	}
	key, broken := k.v.private(f)
	if broken != nil {
		return nil, broken
	}
	return object{
		"key": object{"kid": kid(f.name, f.version.ID), "kty": "RSA", "key_ops": []string{"encrypt", "decrypt", "wrapKey", "unwrapKey"},
			"n": b64.EncodeToString(key.N.Bytes()), "e": b64.EncodeToString(big.NewInt(int64(key.E)).Bytes())},
		"attributes": attributes(f.version), "tags": object{},
	}, nil
}

// list gives the keys by their names; there are few, so there is one page.
func (k *call) list() (object, *fault) {
	rows := []object{}
	k.v.world.Read(func(s *world.State) {
		for i := range s.KeyVault.Keys {
			key := &s.KeyVault.Keys[i]
			rows = append(rows, object{"kid": "https://" + Host + "/keys/" + key.Name, "attributes": attributes(*key.Version("")), "tags": object{}})
		}
	})
	return object{"value": rows, "nextLink": nil}, nil
}

func (k *call) versions() (object, *fault) {
	f, missing := k.find()
	if missing != nil {
		return nil, missing
	}
	rows := []object{}
	for _, v := range f.versions {
		rows = append(rows, object{"kid": kid(f.name, v.ID), "attributes": attributes(v), "tags": object{}})
	}
	return object{"value": rows, "nextLink": nil}, nil
}

// maxVersions bounds a key that somebody rotates for ever.
const maxVersions = 500

func (k *call) rotate() (object, *fault) {
	var f *fault
	_ = k.v.world.Do(func(s *world.State) error {
		key := s.KeyVault.Key(k.name)
		switch {
		case key == nil:
			f = refuse(http.StatusNotFound, "KeyNotFound", "A key with (name/id) "+k.name+" was not found in this key vault.")
		case len(key.Versions) >= maxVersions:
			f = refuse(http.StatusConflict, "Conflict", "The key has too many versions.")
		default:
			s.AddVersion(s.KeyVault, key, k.now)
		}
		return nil
	})
	if f != nil {
		return nil, f
	}
	return k.get()
}

// operate wraps or unwraps. Wrapping and encrypting are the same for an RSA key;
// the permissions differ.
func (k *call) operate() (object, *fault) {
	var in struct {
		Algorithm string `json:"alg"`
		Value     string `json:"value"`
	}
	body, err := io.ReadAll(k.Body)
	if err != nil {
		return nil, bad("The request body could not be parsed.")
	}
	if err := kit.Object(body, &in); err != nil {
		return nil, bad("The request body could not be parsed: " + err.Error() + ".")
	}
	value, err := b64.Strict().DecodeString(in.Value)
	if err != nil || len(value) == 0 {
		return nil, bad("Property  has invalid value: the value is not in base64url.")
	}
	var sum hash.Hash
	switch in.Algorithm {
	case "RSA-OAEP-256":
		sum = sha256.New()
	case "RSA-OAEP":
		sum = sha1.New() //nolint:gosec // as defined
	default:
		return nil, bad("Key and signing or encryption algorithm are incompatible. Key type is 'RSA' and the algorithm must be one of RSA-OAEP-256, RSA-OAEP.")
	}
	f, missing := k.find()
	if missing != nil {
		return nil, missing
	}
	if f.version.Disabled {
		no := refuse(http.StatusForbidden, "Forbidden", "Operation "+spelled(k.act)+" is not allowed on a disabled key.")
		no.Inner = "KeyDisabled"
		return nil, no
	}
	key, broken := k.v.private(f)
	if broken != nil {
		return nil, broken
	}
	var out []byte
	if k.act == "wrapkey" || k.act == "encrypt" {
		out, err = rsa.EncryptOAEP(sum, rand.Reader, &key.PublicKey, value, nil)
	} else {
		out, err = rsa.DecryptOAEP(sum, nil, key, value, nil)
	}
	if err != nil {
		return nil, bad("The parameter is incorrect: the value is too long, or was not made by this key and algorithm.")
	}
	return object{"kid": kid(f.name, f.version.ID), "value": b64.EncodeToString(out)}, nil
}
