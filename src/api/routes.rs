//! Routes, each at the path and the method that its description names.
//!
//! `#[utoipa::path]` says of a handler where it stands and what it wants and answers. A door needs the first alone. The description as
//! a whole is checked in and served as it stands ([`crate::openapi`]): a daemon that put it together at every start would keep
//! some 4 MiB for it, a sixth of what it holds, and its program would carry the schema of every type. So only tests gather it, by
//! the same lists from which the door is made, and hold the checked-in text against it.

use axum::Router;
use axum::routing::MethodRouter;
#[cfg(test)]
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use crate::ApiState;

/// Routes of one resource, or of all.
#[derive(Default)]
pub(crate) struct Routes {
    router: Router<ApiState>,
    #[cfg(test)]
    described: OpenApiRouter<ApiState>,
}

/// The handlers of one path, as [`routes!`](crate::routes::routes) makes them of their names.
pub(crate) struct OnePath {
    pub(crate) path: String,
    pub(crate) methods: MethodRouter<ApiState>,
    #[cfg(test)]
    pub(crate) described: UtoipaMethodRouter<ApiState>,
}

impl Routes {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// With one path more.
    pub(crate) fn routes(self, one: OnePath) -> Self {
        Self {
            router: self.router.route(&one.path, one.methods),
            #[cfg(test)]
            described: self.described.routes(one.described),
        }
    }

    /// With those of another resource.
    pub(crate) fn merge(self, others: Self) -> Self {
        Self {
            router: self.router.merge(others.router),
            #[cfg(test)]
            described: self.described.merge(others.described),
        }
    }

    pub(crate) fn into_router(self) -> Router<ApiState> {
        self.router
    }

    /// What all of them are and mean.
    #[cfg(test)]
    pub(crate) fn document(self) -> utoipa::openapi::OpenApi {
        crate::openapi::whole::document(self.described)
    }
}

/// Handlers of one path, of which each has an `#[utoipa::path]`.
macro_rules! routes {
    ($first:ident $(, $more:ident)*) => {
        pastey::paste! {{
            use utoipa::Path as _;
            use utoipa_axum::PathItemExt as _;
            let methods = axum::routing::MethodRouter::new();
            let methods = [<__path_ $first>]::methods().iter().fold(methods, |all, one| all.on(one.to_method_filter(), $first));
            $(let methods = [<__path_ $more>]::methods().iter().fold(methods, |all, one| all.on(one.to_method_filter(), $more));)*
            $crate::routes::OnePath {
                path: [<__path_ $first>]::path(),
                methods,
                #[cfg(test)]
                described: utoipa_axum::routes!($first $(, $more)*),
            }
        }}
    };
}
pub(crate) use routes;
