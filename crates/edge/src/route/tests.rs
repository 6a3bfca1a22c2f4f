use super::*;

async fn handler(_request: Request) -> Result<Response, Error> {
    Ok(Response::no_content())
}

fn access(methods: &MethodRouter, method: Method) -> Access {
    methods.properties(method).unwrap().access
}

#[test]
fn a_route_property_belongs_to_the_method_before_it() {
    let methods = get(handler).post(handler).scope(Scope::Admin).put(handler);
    assert_eq!(access(&methods, Method::Get), Access::ByMethod);
    assert_eq!(access(&methods, Method::Head), Access::ByMethod);
    assert_eq!(access(&methods, Method::Post), Access::Scope(Scope::Admin));
    assert_eq!(access(&methods, Method::Put), Access::ByMethod);
}

#[test]
fn an_internal_route_needs_a_scope_and_reads_the_primary() {
    let methods = get(handler).internal();
    let properties = methods.properties(Method::Get).unwrap();
    assert_eq!(properties.access, Access::Scope(Scope::Admin));
    assert_eq!(properties.read_from, ReadFrom::Primary);
    assert!(methods.is_internal());
    assert!(!methods.post(handler).is_internal());
}

#[test]
fn a_method_without_a_handler_has_no_route() {
    let methods = get(handler).internal();
    assert!(methods.find(Method::Post).is_none());
    assert_eq!(access(&methods, Method::Post), Access::Scope(Scope::Admin));
    assert_eq!(methods.allow(), "GET, HEAD, OPTIONS");
}
