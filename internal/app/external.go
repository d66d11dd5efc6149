//go:build !judge

package app

import "partnerguard/internal/mfa/provider"

// external makes our provider of External MFA, which answers where the vault is open.
func (i *Installation) external() (*provider.Provider, error) {
	d := provider.Deps{DB: i.DB, Entra: i.API, Cloud: i.Cloud, Public: i.Config.Web.PublicURL, Config: &i.Config.External, Now: i.Now, Log: i.Log}
	if i.Vault != nil {
		d.Vault = i.Vault
	}
	if !i.look {
		d.Record = i.Trail
	}
	return provider.New(d)
}
