package world

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// KeyVault is the partner's Azure Key Vault: RSA keys that wrap and unwrap, and
// who may use them. The keys themselves come from the seed.
type KeyVault struct {
	Name   string           `json:"name"`
	Tenant string           `json:"tenant"` // whose tokens it takes
	Keys   []VaultKey       `json:"keys"`
	Access []KeyVaultAccess `json:"access"`
}

// VaultKey is a named key with its versions, oldest first.
type VaultKey struct {
	Name     string            `json:"name"`
	Versions []VaultKeyVersion `json:"versions"`
}

// VaultKeyVersion is one version. Disabled keys neither wrap nor unwrap.
type VaultKeyVersion struct {
	ID       string    `json:"id"` // 32 hexadecimal digits
	Created  time.Time `json:"created"`
	Disabled bool      `json:"disabled,omitempty"`
}

// KeyVaultAccess says what a principal may do with every key of the vault, as an
// access policy does.
type KeyVaultAccess struct {
	Principal string   `json:"principal"` // object id of a user, group or service principal
	May       []string `json:"may"`       // of KeyPermissions, in lower case
}

// KeyPermissions are the permissions of an access policy that are known here.
func KeyPermissions() []string {
	return []string{"get", "list", "wrapkey", "unwrapkey", "encrypt", "decrypt", "rotate"}
}

// Key finds a key by name, without case, or nil.
func (v *KeyVault) Key(name string) *VaultKey {
	for i := range v.Keys {
		if strings.EqualFold(v.Keys[i].Name, name) {
			return &v.Keys[i]
		}
	}
	return nil
}

// Version finds a version by id, or the newest for "".
func (k *VaultKey) Version(id string) *VaultKeyVersion {
	if id == "" && len(k.Versions) > 0 {
		return &k.Versions[len(k.Versions)-1]
	}
	for i := range k.Versions {
		if strings.EqualFold(k.Versions[i].ID, id) {
			return &k.Versions[i]
		}
	}
	return nil
}

// AddVersion makes a key's next version.
func (s *State) AddVersion(v *KeyVault, k *VaultKey, at time.Time) *VaultKeyVersion {
	id := s.GUID("keyvault/" + strings.ToLower(v.Name+"/"+k.Name) + "/" + strconv.Itoa(len(k.Versions)+1))
	k.Versions = append(slices.Clone(k.Versions), VaultKeyVersion{ID: strings.ReplaceAll(id, "-", ""), Created: at})
	s.dirty = true
	return &k.Versions[len(k.Versions)-1]
}

// KeySeed is what a version's RSA key is made of: the same seed, the same key.
// It is for a local world of invented people.
func (s *State) KeySeed(version string) []byte {
	return s.derive("keyvault/key/" + strings.ToLower(version))
}

// MayUseKeys tells whether a principal, itself or by a group of the tenant, has
// a permission of the vault.
func (s *State) MayUseKeys(v *KeyVault, principal, permission string) bool {
	ids := []string{principal}
	if t := s.Tenant(v.Tenant); t != nil {
		ids = append(ids, t.GroupsOf(principal)...)
	}
	return slices.ContainsFunc(v.Access, func(a KeyVaultAccess) bool {
		return slices.ContainsFunc(ids, func(id string) bool { return strings.EqualFold(id, a.Principal) }) && slices.Contains(a.May, permission)
	})
}
