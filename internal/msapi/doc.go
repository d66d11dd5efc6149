// Package msapi is our client of Microsoft's interfaces: Entra ID's token
// endpoints, the parts of Partner Center and Graph the features need, with
// throttle budgets and retries.
//
// It speaks from contracts.md sections 2 to 5. Requests go through azcore
// pipelines; answers have size limits; nothing it logs or returns in an error
// holds a token, a code, a secret or the text of an answer. It follows no
// redirect, and sends credentials over plain HTTP to this very machine only.
//
// What is sent again: any request that was throttled; a read, a refresh and a
// Partner Center write (which carries the same MS-RequestId, so that it is done
// once) after a lost reply or a 5xx; once, with a new token, a page of a walk
// whose token has expired. Never: the redemption of a code, any other 401, a
// refusal of a token endpoint. A throttled bucket (host, tenant, kind, app)
// halves its pace and is closed until its time, also for those who wait already;
// others go on.
//
// [Client.Walk] reads a resource of package evidence page by page, as raw answers
// for the archive: whole lists, loops over the items of a list (in batches where
// Graph takes them), logs by slices of time that narrow when they are late, and
// changes. It goes on after any answer, from its position.
//
// Failures: [TokenError] from a token endpoint, [APIError] from an API. Both
// say whether trying again later may help; what did not come from Microsoft
// (a proxy's page, a cut connection, half an answer) is always transient, so
// that no accident on the way can look like a rejection.
package msapi
