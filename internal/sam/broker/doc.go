// Package broker hands out access tokens, and nothing else, to callers who are
// allowed: by the managed identity protocol of Azure App Service, which every
// Azure SDK speaks without a change to the caller's code.
//
// A local caller is a child process with a private loopback endpoint that lives
// as long as the child ([Broker.Local]). Callers of the server prove themselves
// to package caller ([Broker.Server]). What each may have is in the policy ([ParsePolicy]): denied unless a grant allows
// it, every decision explained ([Broker.Explain]).
//
// Every token handed out is in the audit trail first, by its fingerprint; when
// the trail cannot be written no token goes out. Refusals are recorded too: the
// first of each sort at once, the others counted and written once a minute, a
// bounded number of sorts, so that a flood of them cannot fill the disk.
//
// What it cannot do: a token that was handed out lives as long as Entra ID gave
// it. A policy can refuse a token that lives too long (lifetime) and make
// callers ask again sooner (recheck, the end of the hours, of an approval); it
// cannot shorten the token.
//
// Protocol: App Service managed identity, api-version 2019-08-01; 2017-09-01's
// header name and clientid are understood too.
package broker
