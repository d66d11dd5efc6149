// Package keyvault owns the partner cloud's Azure Key Vault at
// contoso-keys.vault.azure.net: RSA keys with versions, and wrapKey, unwrapKey,
// encrypt, decrypt and rotate.
//
// It answers under its production name alone: Microsoft's client compares the
// resource of the challenge with the host. Who may do what stands in the
// scenario, as access policies. Keys come from the world's seed and are made when
// they are first used: it is a laboratory, and its keys are no secret.
//
// Source: Microsoft's REST reference of Key Vault keys, versions 7.0 to
// 2025-07-01, and its pages on authentication, errors and service limits. The
// words of some errors are not published; those are ours.
package keyvault
