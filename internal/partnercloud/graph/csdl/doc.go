// Package csdl writes the $metadata document of Microsoft Graph (OASIS OData CSDL
// 4.0, XML) for a part of the service: the types, properties, navigations and
// operations that were marked as served, and what those need.
//
// What the types are comes from Graph's published metadata (model_v1.0.txt and
// model_beta.txt, made by this package's test from microsoftgraph/msgraph-metadata at
// the commit named in package graph; roots.txt is by hand: what that excerpt lacks).
package csdl
