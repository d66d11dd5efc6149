package scenario

import (
	"fmt"
	"slices"
	"strings"

	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/pattern"
)

// KeyVault is the partner's Azure Key Vault, contoso-keys.vault.azure.net.
type KeyVault struct {
	Keys   []VaultKey  `yaml:"keys"`
	Access []KeyAccess `yaml:"access"`
}

// VaultKey is a key with so many versions; 0 is 1. The keys come from the seed.
type VaultKey struct {
	Name     string `yaml:"name"`
	Versions int    `yaml:"versions"`
}

// KeyAccess is an access policy.
type KeyAccess struct {
	Who string   `yaml:"who"` // an app of the partner by name, or a person
	May []string `yaml:"may"` // get, list, wrapKey, unwrapKey, encrypt, decrypt, rotate
}

// keyVaultName is the only vault's name: hosts of the cloud are fixed.
const keyVaultName = "contoso-keys"

const (
	maxVaultKeys     = 100
	maxVaultVersions = 50
)

var keyName = pattern.Later(`^[0-9A-Za-z-]{1,127}$`)

func (c *checker) keyVault(n *tenantNames) {
	c.upTo("$.keyVault.keys", len(c.sc.KeyVault.Keys), maxVaultKeys)
	seen := map[string]bool{}
	for i, k := range c.sc.KeyVault.Keys {
		path := fmt.Sprintf("$.keyVault.keys[%d]", i)
		c.once(path, "key", k.Name, seen)
		if k.Name != "" && !keyName.MatchString(k.Name) {
			c.fault(path+".name", "use letters, digits and hyphens", "%q is no name of a key", k.Name)
		}
		c.upTo(path+".versions", k.Versions, maxVaultVersions)
	}
	for i, a := range c.sc.KeyVault.Access {
		path := fmt.Sprintf("$.keyVault.access[%d]", i)
		who := strings.ToLower(a.Who)
		if !n.apps[who] && !n.people[who] {
			c.fault(path+".who", "name an app or a person of the partner", "nobody is called %q", a.Who)
		}
		for j, p := range a.May {
			if !slices.Contains(world.KeyPermissions(), strings.ToLower(p)) {
				c.fault(fmt.Sprintf("%s.may[%d]", path, j), "one of "+strings.Join(world.KeyPermissions(), ", "), "%q is no permission on keys", p)
			}
		}
	}
}

// keyVault makes the vault of the partner's tenant, whose people and apps are
// there.
func (b *builder) keyVault(t *world.Tenant) {
	sc := &b.sc.KeyVault
	if len(sc.Keys) == 0 {
		return
	}
	v := &world.KeyVault{Name: keyVaultName, Tenant: t.ID}
	for _, k := range sc.Keys {
		key := world.VaultKey{Name: k.Name}
		n := max(k.Versions, 1)
		for i := range n { // a month apart
			b.state.AddVersion(v, &key, b.created.AddDate(0, i-n, 0))
		}
		v.Keys = append(v.Keys, key)
	}
	for _, a := range sc.Access {
		id := ""
		for i := range b.sc.Apps {
			if strings.EqualFold(b.sc.Apps[i].Name, a.Who) {
				id = b.spID(t, b.appIDOf(&b.sc.Apps[i]))
			}
		}
		if id == "" {
			id = b.person(t, a.Who)
		}
		var may []string
		for _, p := range a.May {
			may = append(may, strings.ToLower(p))
		}
		v.Access = append(v.Access, world.KeyVaultAccess{Principal: id, May: may})
	}
	b.state.KeyVault = v
}
