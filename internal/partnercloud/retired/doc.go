// Package retired answers for what Microsoft has switched off: Azure AD Graph at
// graph.windows.net. Tokens for it are still issued, and its endpoint refuses
// whatever comes, so that a client which still speaks to it fails here as it does
// in production.
//
// Source: the answers as public issue threads quote them (2025); the retirement is
// announced on Microsoft's page "Migrate from Azure AD Graph to Microsoft Graph".
package retired
